"""From choices to numbers (`tally`), and by a named rule from numbers to a decision (`rules`)."""
