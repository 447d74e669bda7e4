"""The page that shows a walk: what it carries, the scripts and styles it is made of."""
