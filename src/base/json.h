/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECOW_JSON_H
#define RECOW_JSON_H

#include <jansson.h>

/* Text that may hold any byte, as paths do: as it stands when it is UTF-8, else as bytes_escape() shows it.
 */
json_t *json_text(const char *text);

#endif
