/* SPDX-License-Identifier: MIT */
#include "command.h"

int main(int argc, char **argv)
{
    return (int)cli_run(argc, argv);
}
