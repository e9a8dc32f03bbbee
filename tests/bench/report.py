def write_report(f, d): return ""
