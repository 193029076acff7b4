"""The body as data: what an .osim says (spec), compiled to flat arrays (compile, model), in other sizes (scale)."""
