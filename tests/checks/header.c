/* SPDX-License-Identifier: MIT */
#include MOX_HEADER

int main(void)
{
    return 0;
}
