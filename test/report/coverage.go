package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// coverage reads a profile and gives the share of statements that ran, in percent. A block that several packages' tests
// report counts once, and as run if any of them ran it.
func coverage(profile string) (float64, error) {
	file, err := os.Open(profile)
	if err != nil {
		return 0, fmt.Errorf("opening the coverage profile: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	sizes, ran := map[string]int{}, map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "mode:") {
			continue
		}
		var block string
		var size, count int
		if _, err := fmt.Sscan(lines.Text(), &block, &size, &count); err != nil {
			return 0, fmt.Errorf("reading %q of the coverage profile: %w", lines.Text(), err)
		}
		sizes[block] = size
		ran[block] = ran[block] || count > 0
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("reading the coverage profile: %w", err)
	}
	all, hit := 0, 0
	for block, size := range sizes {
		all += size
		if ran[block] {
			hit += size
		}
	}
	if all == 0 {
		return 0, fmt.Errorf("the coverage profile %s is empty", profile)
	}
	const percent = 100
	return percent * float64(hit) / float64(all), nil
}
