"""The heart: whom to ask, when, why not the others, and the life of each invitation."""
