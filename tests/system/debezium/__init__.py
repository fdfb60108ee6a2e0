"""
Debezium itself as the judge of what millrace captures: scenarios that both capture from one database, and the
comparison of what each of them wrote.
"""
