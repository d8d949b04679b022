package plan

// A job has no more messages of a group's chunks in the queue at once than its
// plan's Window: the receipt of a chunk lets the message of that be sent which
// comes so many places after it. So a job of thousands of chunks takes whatever
// workers there are, and leaves a place in the queue to a short one that comes
// later.

// Gate is the chunk of the same group whose receipt must be there before the
// message of a chunk may be sent; false where none must.
func (p *Plan) Gate(chunk int) (int, bool) {
	return chunk - p.Window, p.Window > 0 && chunk >= p.Window
}

// Next is the chunk whose message the receipt of a chunk lets be sent, false
// where there is none.
func (p *Plan) Next(group, chunk int) (int, bool) {
	next := chunk + p.Window
	return next, p.Window > 0 && next < len(p.Groups[group].Chunks)
}
