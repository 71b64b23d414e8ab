/* SPDX-License-Identifier: MIT */
#include MOX_HEADER

int main()
{
    return 0;
}
