//! One recipient's way: from an address to a plan
