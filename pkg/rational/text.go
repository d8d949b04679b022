package rational

// MarshalText writes what String does, so that a Rational is a string in JSON;
// the unknown value is the empty string.
func (r Rational) MarshalText() ([]byte, error) {
	if r.Den == 0 {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText wrote. Text that is no fraction is an
// ErrSyntax.
func (r *Rational) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Rational{}
		return nil
	}
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*r = v
	return nil
}
