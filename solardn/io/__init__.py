"""Open a cube, write one map at a time, commit at the end."""
