"""What people ask in school and at home, composed by grammar: situations, sentence frames, ways to ask, numbers, units."""
