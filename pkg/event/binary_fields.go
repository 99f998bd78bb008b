package event

// A memory is what an Encoder and its Decoder both remember of the events
// before.
type memory struct {
	time    Time
	space   SpaceID
	pid     PID
	tid     TID
	brk     uint64
	lost    uint64
	address uint64
	spaces  [16]place
	stacks  [256]uint64
}

// A place is the newest number and page count of the spaces that share a slot.
type place struct{ seq, totalVM uint64 }

// Fields of the binary form.
const (
	hasNextSeq    = 1 << iota // Seq is the one after the newest; nothing follows
	hasKnownStack             // Stack is in the slot that follows as a byte
	hasTotalVM                // difference from the newest
	hasArg0                   // Args[0], difference from the newest address
	hasArg1                   // Args[1] to Args[5] follow likewise, zigzag
	_                         //
	_                         //
	_                         //
	_                         //
	hasRet                    // zigzag
	hasAddress                // Ret is an address: difference from the newest
	hasThread                 // PID and TID
	hasBrk                    // difference from the event before
	hasAfter                  // difference from the newest Seq
	hasSpace                  //
	hasMarks                  //
	hasSeq                    // difference from the newest
	hasStack                  // eight bytes, little-endian; goes to the slot of its lowest byte
	hasAux                    //
	hasLost                   //
	hasParent                 // Parent and ParentSeq
	hasName                   // length and bytes
	hasFrames                 // count and differences from frame to frame
	hasReading                // From, To
	hasRegions                // count and regions
	knownFields   = 1<<iota - 1
)

// Fields of a region.
const (
	regionShared = 1 << iota
	regionOffset
	regionFile // Dev and Inode
	regionPath
	regionSamePath    // as the region before
	knownRegionFields = 1<<iota - 1
)
