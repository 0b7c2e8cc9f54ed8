"""What the program keeps: the journal of runs, settings of clusters and approvals."""
