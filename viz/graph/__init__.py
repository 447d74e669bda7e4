"""The picture of a tape as plain data: boxes, edges and frames, of which nothing says how they are drawn."""
