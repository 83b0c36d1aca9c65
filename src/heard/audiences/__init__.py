"""Who belongs together by what they did and what they are like, and what is computed of each: pure, no I/O."""
