"""Every metric of ads, pipeline and revenue once more, in plain SQL over a company's files."""
