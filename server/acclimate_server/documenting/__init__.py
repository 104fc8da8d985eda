"""Doc-comments for definitions without one, where somebody asks for them."""
