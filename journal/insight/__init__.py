"""What one's trades say, a part at a time: computed by a worker where it is heavy, kept with the
trades behind each number, and computed anew when the trades have changed and somebody looks."""
