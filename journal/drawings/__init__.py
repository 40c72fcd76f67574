"""Pictures of numbers as SVG that a template writes: pure geometry, in per cent of the picture, so
that words keep their size whatever the width. No script draws them, so they are there at once."""
