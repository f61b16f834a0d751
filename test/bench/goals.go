package main

import (
	"errors"
	"fmt"
	"math"
)

// measured is a row of the second table.
type measured struct {
	name, incumbent, goal, here string
	// most are the numbers of the goal, in the order and the units in which got has those that were measured: seconds, milliseconds, MiB,
	// calls. What nothing was asked of is [anything].
	most, got []float64
	// missed says why the goal is not reached, and what would reach it. It is shown where that is so.
	missed string
}

// anything is no goal.
const anything = math.MaxFloat64

// over tells whether a goal is not reached, as far as the page shows it.
func (row measured) over() bool {
	const shown = 100 // two decimals
	for i, most := range row.most {
		if i >= len(row.got) || math.Round(row.got[i]*shown)/shown > most {
			return true
		}
	}
	return false
}

// unexplained are the rows whose goal is not reached, and nobody has said why.
func unexplained(rows []measured) error {
	var errs []error
	for _, row := range rows {
		if row.over() && row.missed == "" {
			errs = append(errs, fmt.Errorf("%s: %s is over the goal of %s: %w", row.name, row.here, row.goal, errUnexplained))
		}
	}
	return errors.Join(errs...)
}

var errUnexplained = errors.New("say in test/bench/scenes.go why, and what would reach it")
