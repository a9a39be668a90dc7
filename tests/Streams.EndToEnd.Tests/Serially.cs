// Two instances that start in the same instant may choose the same default port: one test at a time, as one user at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
