package timeline

import (
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// seriesOf says which series counts the tasks of a template.
type seriesOf struct {
	names []string
	index map[int64]int // by template id; -1 for one that was not asked for
	some  bool          // not all that the workflow has
	other int           // how many names are one series more, the last
}

// count returns how many series there are.
func (s seriesOf) count() int { return len(s.names) + min(s.other, 1) }

// templateIDs returns the templates that are counted, none when it is all.
func (s seriesOf) templateIDs() []int64 {
	if !s.some {
		return nil
	}
	var ids []int64
	for id, series := range s.index {
		if series >= 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// fold makes one series of all but the chosen ones, which are ascending.
func (s seriesOf) fold(chosen []int) seriesOf {
	folded := seriesOf{index: make(map[int64]int, len(s.index)), some: s.some, other: len(s.names) - len(chosen)}
	for _, i := range chosen {
		folded.names = append(folded.names, s.names[i])
	}
	for id, i := range s.index {
		if i >= 0 {
			at, told := slices.BinarySearch(chosen, i)
			if i = at; !told {
				i = len(chosen)
			}
		}
		folded.index[id] = i
	}
	return folded
}

// chooseSeries makes one series of each template name that is wanted, or of all.
func chooseSeries(known []store.TemplateName, wanted []string) (seriesOf, error) {
	series := seriesOf{names: namesOf(known), index: make(map[int64]int, len(known))}
	if len(wanted) > 0 {
		for _, name := range wanted {
			if _, exists := slices.BinarySearch(series.names, name); !exists {
				return seriesOf{}, jobmon.FieldErrorf("task_template_name", "the workflow has no task template %q", name)
			}
		}
		all := len(series.names)
		series.names = slices.Compact(slices.Sorted(slices.Values(wanted)))
		series.some = len(series.names) < all
	}
	for _, template := range known {
		i, chosen := slices.BinarySearch(series.names, template.Name)
		if !chosen {
			i = -1
		}
		series.index[template.ID] = i
	}
	return series, nil
}

func (s seriesOf) of(templateID int64) (int, error) {
	i, known := s.index[templateID]
	if !known {
		return 0, jobmon.Errorf(jobmon.CodeInternal, "the audit has rows of task template %d, of which the workflow has no task",
			templateID)
	}
	return i, nil
}
