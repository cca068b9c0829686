"""Where a cohort is asked: one folder an engine, one question: `members(queries, as_of, only)`."""
