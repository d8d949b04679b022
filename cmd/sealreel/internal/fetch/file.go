package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Save writes what r gives to a file, which appears whole or not at all and is
// readable by its owner only. What is there and is no regular file, such as a
// pipe, is written to as it is.
func Save(file string, r io.Reader) (err error) {
	switch info, statErr := os.Stat(file); {
	case statErr == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name the file to write", file)
	case statErr == nil && !info.Mode().IsRegular():
		return write(file, r)
	case statErr != nil && !errors.Is(statErr, fs.ErrNotExist):
		return statErr
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	_, err = io.Copy(temporary, r)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

// Whole says whether Save makes the file appear whole or not at all: not so what
// is there and is no regular file, which takes what comes as it comes.
func Whole(file string) bool {
	info, err := os.Stat(file)
	return err != nil || info.Mode().IsRegular()
}

func write(file string, r io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
