"""Order flow, extremes and what came behind the exit, written on fills and trades."""
