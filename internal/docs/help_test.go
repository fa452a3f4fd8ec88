package docs_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestHelpOfThePageLeadsToASection reads the app's help texts.
func TestHelpOfThePageLeadsToASection(t *testing.T) {
	content, err := os.ReadFile("../../ui/src/help/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]struct{ Term, Text, More string }
	if err := json.Unmarshal(content, &texts); err != nil || len(texts) < 10 {
		t.Fatal(len(texts), err)
	}
	pages := crawl(t)
	for key, text := range texts {
		name, section, _ := strings.Cut(text.More, "#")
		if text.Term == "" || text.Text == "" || section == "" || !slices.Contains(found(ids, pages[base+"docs/"+name]), section) {
			t.Errorf("%s: there is no section docs/%s", key, text.More)
		}
	}
}
