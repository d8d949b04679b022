package fault

// fits reports whether a text fits a pattern, in which * stands for any bytes
// and ? for one. An empty pattern fits everything.
func fits(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	p, at := 0, 0
	star, resume := -1, 0 // the last star, and where in the text it ended
	for at < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, at
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[at]):
			p++
			at++
		case star >= 0:
			resume++
			p, at = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
