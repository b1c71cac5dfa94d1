/*===- empty.c - Launch and nothing else ------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "kernel.h"

void kernel_load(const void *args);
void kernel_compute(const void *args);

void kernel_load(const void *args) { (void)args; }
void kernel_compute(const void *args) { (void)args; }
