/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/base/json.h"

#include <string.h>

#include "src/base/units.h"

json_t *json_text(const char *text)
{
	json_t *j = json_string(text);
	char escaped[4096 * 4 + 4];

	return j ? j : json_string(bytes_escape(escaped, sizeof(escaped), text, strlen(text)));
}
