"""The field dictionary: what the vendor's RDMFieldDictionary and enumtype.def say of fields, and values that fit."""
