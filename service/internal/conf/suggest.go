package conf

import "strings"

// nearest returns the word that is at most two typing mistakes away from s, or "".
func nearest(s string, words []string) string {
	best, found := 3, ""
	for _, w := range words {
		if d := distance(s, w); d < best && d < len(w) {
			best, found = d, w
		}
	}
	return found
}

// instead returns the words to write in place of an unknown one.
func instead(s string, words []string) string {
	if w := nearest(s, words); w != "" {
		return "write " + w
	}
	return "there are " + strings.Join(words, ", ")
}

// distance counts the letters to insert, drop, replace or swap with the next one.
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
