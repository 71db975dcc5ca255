"""How a reading looks: numbers, verdicts, tiles, tables, charts and sentences. Nothing here computes a metric."""
