package export

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compile compiles the schema, made strict if asked: then a member that it does
// not describe is an error.
func compile(t *testing.T, strict bool) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		forbidOthers(doc)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// forbidOthers closes every object of a schema.
func forbidOthers(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, e := range v {
			forbidOthers(e)
		}
	case []any:
		for _, e := range v {
			forbidOthers(e)
		}
	}
}

func validate(s *jsonschema.Schema, text []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// Every JSON golden fits the schema, and the schema describes every member.
func TestSchema(t *testing.T) {
	s := compile(t, true)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(s, text); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// Within a version members are added: the published schema lets them pass.
func TestSchemaAllowsMore(t *testing.T) {
	var v map[string]any
	if err := json.Unmarshal([]byte(output(t, "rich.json", rich(), Options{})), &v); err != nil {
		t.Fatal(err)
	}
	v["verdict"] = "new"
	more, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(compile(t, false), more); err != nil {
		t.Error(err)
	}
	delete(v, "caveats")
	less, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if validate(compile(t, false), less) == nil {
		t.Error("a report without caveats passed")
	}
}

// Values that JSON readers cannot hold are bounded, and nothing is ever null.
func TestJSONExtremes(t *testing.T) {
	r := named("a", "b", math.MaxUint64, math.MaxUint64)
	r.Paths[0].Rate = math.Inf(1)
	r.Paths[1].Rate = math.NaN()
	r.Paths[1].Frames = nil
	r.Targets[0].Cmdline, r.Remnants, r.Failures, r.Caveats, r.Totals.ByKind = nil, nil, nil, nil, nil
	r.Totals.HeapGrowth = math.MinInt64
	text := output(t, "x.json", r, Options{})
	if err := validate(compile(t, true), []byte(text)); err != nil {
		t.Error(err)
	}
	if bytes.Contains([]byte(text), []byte("null")) {
		t.Errorf("null in %s", text)
	}
}
