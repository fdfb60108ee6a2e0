#include "bridge/filter/letter_case.h"

#include <locale.h>
#include <wctype.h>

#include "core/base/memory.h"
#include "schemas/json/json_text.h"

/** Unicode's cases whatever the environment says; only ASCII's where C.UTF-8 does not exist. */
static locale_t unicode(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return locale != (locale_t)0 ? locale : newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

static wint_t decode(const uint8_t *at, size_t size)
{
    static const uint8_t FIRST[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    wint_t letter = at[0] & FIRST[size];
    for (size_t i = 1; i < size; i++) {
        letter = letter << 6 | (at[i] & 0x3fU);
    }
    return letter;
}

static uint8_t encode(wint_t letter, uint8_t *out)
{
    if (letter < 0x80) {
        out[0] = (uint8_t)letter;
        return 1;
    }
    uint8_t size = letter < 0x800 ? 2 : letter < 0x10000 ? 3 : 4;
    static const uint8_t LEAD[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (uint8_t i = size; i-- > 1; letter >>= 6) {
        out[i] = (uint8_t)(0x80 | (letter & 0x3f));
    }
    out[0] = (uint8_t)(LEAD[size] | letter);
    return size;
}

void letter_case_init(struct letter_case *c, struct slice text)
{
    locale_t locale = unicode();
    const uint8_t *end = text.data + text.size;
    *c = (struct letter_case){memory_zeroed(text.size + 1, sizeof *c->letters), 0};
    for (const uint8_t *at = text.data; at < end;) {
        size_t size = json_text_character(at, end);
        INVARIANT(size > 0);
        wint_t letter = decode(at, size);
        struct letter *l = &c->letters[c->count++];
        bool has_case = size < 4 && locale != (locale_t)0;
        l->lower_size = encode(has_case ? towlower_l(letter, locale) : letter, l->lower);
        l->upper_size = encode(has_case ? towupper_l(letter, locale) : letter, l->upper);
        at += size;
    }
    if (locale != (locale_t)0) {
        freelocale(locale);
    }
}

void letter_case_clear(struct letter_case *c)
{
    free(c->letters);
    *c = (struct letter_case){0};
}

/** The size of the letter that the text has at its beginning, or at its end; 0: another one. */
static size_t letter_size(const struct letter *l, struct slice text, bool is_at_end)
{
    const uint8_t *forms[] = {l->lower, l->upper};
    const uint8_t sizes[] = {l->lower_size, l->upper_size};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (text.size >= sizes[i] &&
            memcmp(text.data + (is_at_end ? text.size - sizes[i] : 0), forms[i], sizes[i]) == 0) {
            return sizes[i];
        }
    }
    return 0;
}

bool letter_case_matches(const struct letter_case *c, struct slice text, enum letter_case_end end)
{
    bool is_at_end = end == LETTER_CASE_SUFFIX;
    for (size_t i = 0; i < c->count; i++) {
        size_t size = letter_size(&c->letters[is_at_end ? c->count - 1 - i : i], text, is_at_end);
        if (size == 0) {
            return false;
        }
        text = slice_make(is_at_end ? text.data : text.data + size, text.size - size);
    }
    return end != LETTER_CASE_WHOLE || text.size == 0;
}
