"""avro-c, value by value. https://avro.apache.org/docs/1.11.1/api/c/

avro_c.c does it, a shared object whose path is in the environment: AVRO_C.
"""

import os

from peers import common


def avro_read(work, clock, columns=None):
    return common.avro_read(os.environ["AVRO_C"], work, clock, columns)


def avro_write(work, clock, codec):
    common.avro_write(os.environ["AVRO_C"], work, clock, codec)
