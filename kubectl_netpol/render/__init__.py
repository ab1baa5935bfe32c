"""Results to JSON objects and to text for people; the only place with colours and widths."""
