package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image makes an image from nothing but the binary and its licences, as a tar
// file of an OCI image layout (github.com/opencontainers/image-spec,
// image-layout.md). A manifest.json beside it makes it a file of "docker save",
// too, for tools that know only those.
func (b *build) image(files []file) (string, []byte, error) {
	img, err := b.build(files)
	if err != nil {
		return "", nil, fmt.Errorf("making the image: %w", err)
	}
	content, err := b.writeLayout(img)
	if err != nil {
		return "", nil, fmt.Errorf("writing the image: %w", err)
	}
	return fmt.Sprintf("mmtrace_%s_linux_%s.oci.tar", b.version, b.arch), content, nil
}

func (b *build) build(files []file) (v1.Image, error) {
	t := newTar(b.time)
	t.dir("tmp", 0o1777) // what debuginfod sends is kept there
	for _, dir := range []string{"usr", "usr/bin", "usr/share", "usr/share/doc", "usr/share/doc/mmtrace"} {
		t.dir(dir, 0o755)
	}
	for _, f := range files {
		if f.binary || f.source == "copyright" {
			t.file(f.dest[1:], f.mode, f.body)
		}
	}
	content, err := t.bytes()
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: b.time}, CreatedBy: "scripts/release"}})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", b.arch, v1.Time{Time: b.time}
	config.Config.Entrypoint = []string{"/usr/bin/mmtrace"}
	config.Config.Env = []string{"PATH=/usr/bin"}
	config.Config.Labels = b.labels()
	return mutate.ConfigFile(img, config)
}

// labels are those of the image specification's annotations.md.
func (b *build) labels() map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "mmtrace",
		"org.opencontainers.image.description": "Find what maps memory and never unmaps it",
		"org.opencontainers.image.source":      "https://github.com/mmtrace/mmtrace",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     b.version.String(),
		"org.opencontainers.image.created":     b.time.Format(time.RFC3339),
	}
	if b.commit != "" {
		labels["org.opencontainers.image.revision"] = b.commit
	}
	return labels
}

// writeLayout returns the tar file of a layout that holds img alone.
func (b *build) writeLayout(img v1.Image) ([]byte, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	layer, err := layers[0].Compressed()
	if err != nil {
		return nil, err
	}
	defer layer.Close()
	blobs := make([][]byte, 3)
	if blobs[0], err = img.RawManifest(); err != nil {
		return nil, err
	}
	if blobs[1], err = img.RawConfigFile(); err != nil {
		return nil, err
	}
	if blobs[2], err = io.ReadAll(layer); err != nil {
		return nil, err
	}
	t := newTar(b.time)
	t.dir("blobs", 0o755)
	t.dir("blobs/sha256", 0o755)
	var paths []string
	for _, blob := range blobs {
		digest, _, err := v1.SHA256(bytes.NewReader(blob))
		if err != nil {
			return nil, err
		}
		paths = append(paths, "blobs/sha256/"+digest.Hex)
		t.file(paths[len(paths)-1], 0o644, blob)
	}
	name := "mmtrace:" + b.version.tag()
	t.json("index.json", v1.IndexManifest{
		SchemaVersion: 2,
		MediaType:     types.OCIImageIndex,
		Manifests: []v1.Descriptor{{
			MediaType:   types.OCIManifestSchema1,
			Size:        int64(len(blobs[0])),
			Digest:      v1.Hash{Algorithm: "sha256", Hex: paths[0][len("blobs/sha256/"):]},
			Platform:    &v1.Platform{OS: "linux", Architecture: b.arch},
			Annotations: map[string]string{"org.opencontainers.image.ref.name": name},
		}},
	})
	t.json("manifest.json", []map[string]any{{"Config": paths[1], "RepoTags": []string{name}, "Layers": paths[2:]}})
	t.json("oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"})
	return t.bytes()
}

func (t *tarFile) json(name string, value any) {
	body, err := json.Marshal(value)
	if t.err == nil {
		t.err = err
	}
	t.file(name, 0o644, body)
}
