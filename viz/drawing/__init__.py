"""From the plain data of a picture to DOT, SVG, PNG, PDF and text."""
