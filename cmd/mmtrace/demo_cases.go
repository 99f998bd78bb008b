package main

// A demoCase is what one function of the demo target holds at the end of the
// window, of what it mapped in it.
type demoCase struct {
	function string
	bytes    uint64
	count    uint64
}

const (
	leakPiece, leakCount = 1 << 20, 15
	cutPiece, cutLeft    = 256 << 10, 64 << 10
	cutCount             = 5
	poolPiece, poolCount = 512 << 10, 8
	workPiece, workCount = 128 << 10, 200
	beforePiece          = 32 << 20
)

// demoCases are the functions of the target: two leaks, a pool that grows once,
// and two that hold nothing from within the window.
var demoCases = []demoCase{
	{"cacheThatNeverForgets", leakPiece * leakCount, leakCount},
	{"bufferUnmappedShort", cutLeft * cutCount, cutCount},
	{"poolThatGrowsOnce", poolPiece * poolCount, poolCount},
	{"workerThatCleansUp", 0, 0},
	{"mappedBeforeTheWindow", 0, 0},
}
