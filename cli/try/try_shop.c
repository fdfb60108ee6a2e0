#include "cli/try/try_shop.h"

struct shop_change {
    const char *table;
    const char *sql;
    char op;
    char id;       // the placeholder in the SQL that is the row's key
    bool is_last;  // the last change of its transaction
};

// In SQL: $s schema, $c customer, $o order, $p the order before it, $l and $m the order's two lines.
static const char new_customer[] =
    "INSERT INTO $s.customers (id, name, email) VALUES ($c, 'Customer $c', 'customer.$c@example.com')";
static const char new_order[] =
    "INSERT INTO $s.orders (id, customer_id, status, total) VALUES ($o, $c, 'new', 24.80)";
static const char new_line_l[] = "INSERT INTO $s.order_lines (id, order_id, product, quantity, price)"
                                 " VALUES ($l, $o, 'teapot', 1, 19.90)";
static const char new_line_m[] = "INSERT INTO $s.order_lines (id, order_id, product, quantity, price)"
                                 " VALUES ($m, $o, 'cup', 1, 4.90)";

// The changes of one customer's visit. They can be repeated any number of times, as each visit has new
// numbers.
static const struct shop_change visit[] = {
    {"customers", new_customer, 'c', 'c', true},
    {"orders", new_order, 'c', 'o', false},
    {"order_lines", new_line_l, 'c', 'l', false},
    {"order_lines", new_line_m, 'c', 'm', true},
    {"orders", "UPDATE $s.orders SET status = 'paid' WHERE id = $o", 'u', 'o', true},
    {"order_lines", "UPDATE $s.order_lines SET quantity = 2 WHERE id = $l", 'u', 'l', false},
    {"order_lines", "DELETE FROM $s.order_lines WHERE id = $m", 'd', 'm', true},
    {"customers", "UPDATE $s.customers SET orders = orders + 1 WHERE id = $c", 'u', 'c', true},
    {"orders", "UPDATE $s.orders SET status = 'shipped' WHERE id = $o", 'u', 'o', true},
    {"orders", "DELETE FROM $s.orders WHERE id = $p", 'd', 'p', true},
};

// The initial rows are numbered as visit 0.
static const struct shop_change rows_before[] = {
    {"customers", new_customer, 'r', 'c', true},
    {"orders", new_order, 'r', 'o', true},
    {"order_lines", new_line_l, 'r', 'l', true},
    {"order_lines", new_line_m, 'r', 'm', true},
};

static const char tables[] =
    "CREATE SCHEMA IF NOT EXISTS $s;"
    "CREATE TABLE $s.customers (id integer PRIMARY KEY, name text NOT NULL, email text,"
    " orders integer NOT NULL DEFAULT 0, since timestamptz NOT NULL DEFAULT now());"
    "CREATE TABLE $s.orders (id bigint PRIMARY KEY, customer_id integer NOT NULL, status text NOT NULL,"
    " total numeric(12,2) NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());"
    "CREATE TABLE $s.order_lines (id bigint PRIMARY KEY, order_id bigint NOT NULL, product text NOT NULL,"
    " quantity integer NOT NULL, price numeric(12,2) NOT NULL);";

const char *const TRY_SHOP_TABLES[] = {"customers", "orders", "order_lines", NULL};

enum { PAUSE_MAX_MS = 25, PAUSES_TOTAL_MS = 2000 };

static int64_t number_of(char id, int64_t visit_number)
{
    switch (id) {
    case 'l':
        return 2 * visit_number + 1;
    case 'm':
        return 2 * visit_number + 2;
    case 'p':
        return visit_number;
    default:
        return visit_number + 1;
    }
}

static void write_sql(struct bytes *sql, const char *text, const char *schema, int64_t visit_number)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '$') {
            bytes_append_byte(sql, (uint8_t)*at);
            continue;
        }
        at++;
        if (*at == 's') {
            bytes_append_string(sql, schema);
        } else {
            bytes_format(sql, "%lld", (long long)number_of(*at, visit_number));
        }
    }
}

void try_shop_tables(const char *schema, struct bytes *sql, try_shop_on_change on_row, void *self)
{
    write_sql(sql, tables, schema, 0);
    for (size_t i = 0; i < COUNT_OF(rows_before); i++) {
        const struct shop_change *row = &rows_before[i];
        write_sql(sql, row->sql, schema, 0);
        bytes_append_byte(sql, ';');
        on_row(self, &(struct try_shop_change){row->op, row->table, number_of(row->id, 0)});
    }
}

int64_t try_shop_transaction(int64_t first, int64_t end, const char *schema, struct bytes *sql,
                             try_shop_on_change on_change, void *self)
{
    int64_t number = first;
    bool is_last = false;
    // Several statements in one query message are one transaction.
    while (!is_last && number < end) {
        const struct shop_change *change = &visit[number % (int64_t)COUNT_OF(visit)];
        int64_t visit_number = 1 + number / (int64_t)COUNT_OF(visit);
        write_sql(sql, change->sql, schema, visit_number);
        bytes_append_byte(sql, ';');
        on_change(self,
                  &(struct try_shop_change){change->op, change->table, number_of(change->id, visit_number)});
        is_last = change->is_last;
        number++;
    }
    return number - first;
}

struct try_shop {
    struct try_shop_params params;
    char *schema;
    uv_timer_t timer;
    uv_poll_t poll;
    int open_handles;
    struct bytes sql;
    int64_t made;  // changes sent so far
    bool is_busy;  // a transaction has no result yet
    bool is_over;
};

static void end_shop(struct try_shop *s, const struct fault *f)
{
    if (!s->is_over) {
        s->is_over = true;
        uv_timer_stop(&s->timer);
        uv_poll_stop(&s->poll);
        s->params.on_end(s->params.self, f);
    }
}

static void end_with_error(struct try_shop *s)
{
    struct fault f = {0};
    fault_from(&f, FAULT_FATAL, "libpq", 0, "the shop's database refused a change: %s",
               PQerrorMessage(s->params.conn));
    end_shop(s, &f);
}

static void on_socket(uv_poll_t *poll, int status, int events);

static void flush_query(struct try_shop *s)
{
    int left = PQflush(s->params.conn);
    if (left < 0) {
        end_with_error(s);
        return;
    }
    uv_poll_start(&s->poll, UV_READABLE | (left > 0 ? UV_WRITABLE : 0), on_socket);
}

static void send_next(struct try_shop *s)
{
    const struct try_shop_params *p = &s->params;
    bytes_reset(&s->sql);
    s->made += try_shop_transaction(s->made, p->changes, s->schema, &s->sql, p->on_change, p->self);
    s->is_busy = true;
    if (PQsendQuery(p->conn, bytes_text(&s->sql)) != 1) {
        end_with_error(s);
        return;
    }
    flush_query(s);
}

static void on_pause_over(uv_timer_t *timer)
{
    struct try_shop *s = timer->data;
    if (!s->is_busy && !s->is_over) {
        send_next(s);
    }
}

static void on_committed(struct try_shop *s)
{
    s->is_busy = false;
    if (s->made >= s->params.changes) {
        end_shop(s, NULL);
        return;
    }
    int64_t pause_ms = PAUSES_TOTAL_MS / s->params.changes;
    uv_timer_start(&s->timer, on_pause_over, (uint64_t)(pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS),
                   0);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct try_shop *s = poll->data;
    if (status < 0 || PQconsumeInput(s->params.conn) != 1) {
        end_with_error(s);
        return;
    }
    if ((events & UV_WRITABLE) != 0) {
        flush_query(s);
    }
    while (s->is_busy && !s->is_over && PQisBusy(s->params.conn) == 0) {
        PGresult *result = PQgetResult(s->params.conn);
        if (result == NULL) {
            on_committed(s);
            return;
        }
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            end_with_error(s);
        }
        PQclear(result);
    }
}

struct try_shop *try_shop_start(const struct try_shop_params *params)
{
    struct try_shop *s = memory_zeroed(1, sizeof *s);
    s->params = *params;
    s->schema = memory_string(params->schema);
    PQsetnonblocking(params->conn, 1);
    uv_timer_init(params->loop, &s->timer);
    uv_poll_init(params->loop, &s->poll, PQsocket(params->conn));
    s->timer.data = s;
    s->poll.data = s;
    s->open_handles = 2;
    uv_timer_start(&s->timer, on_pause_over, 0, 0);
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    struct try_shop *s = handle->data;
    if (--s->open_handles == 0) {
        bytes_clear(&s->sql);
        free(s->schema);
        free(s);
    }
}

void try_shop_stop(struct try_shop *s)
{
    if (s == NULL) {
        return;
    }
    s->is_over = true;
    PQsetnonblocking(s->params.conn, 0);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}
