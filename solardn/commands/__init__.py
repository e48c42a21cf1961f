"""The commands, one file each: they parse, call, and show. Nothing else of solardn knows click or rich."""
