/* Matrices: products and the solution of linear systems in double precision, products of 16-bit integers. */
#include <math.h>
#include <string.h>

#include "kernel.h"

enum { N = 40 };

static void multiply(double c[N][N], double a[N][N], double b[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

/* Gaussian elimination with pivots; the determinant. */
static double determinant(double m[N][N])
{
    double product = 1;
    for (int col = 0; col < N; col++) {
        int pivot = col;
        for (int row = col + 1; row < N; row++)
            if (fabs(m[row][col]) > fabs(m[pivot][col])) pivot = row;
        if (m[pivot][col] == 0) return 0;
        for (int k = col; k < N && pivot != col; k++) {
            double t = m[col][k];
            m[col][k] = m[pivot][k], m[pivot][k] = t;
        }
        product *= m[col][col];
        for (int row = col + 1; row < N; row++) {
            double factor = m[row][col] / m[col][col];
            for (int k = col; k < N; k++) m[row][k] -= factor * m[col][k];
        }
    }
    return product;
}

static uint64_t multiply_short(int16_t a[N][N], int16_t b[N][N])
{
    uint64_t hash = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[j][k] >> 4;
            hash += (uint64_t)sum;
        }
    return hash;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    static double a[N][N], b[N][N], c[N][N];
    static int16_t s[N][N], t[N][N];
    uint64_t hash = 0;
    for (uint64_t round = 0; round < size; round++) {
        for (int i = 0; i < N * N; i++) {
            uint64_t r = next_random(&seed);
            a[i / N][i % N] = (double)(int32_t)r / 2147483648.0;
            b[i / N][i % N] = (double)(int32_t)(r >> 32) / 2147483648.0;
            s[i / N][i % N] = (int16_t)r, t[i / N][i % N] = (int16_t)(r >> 16);
        }
        multiply(c, a, b);
        double value = determinant(c);
        uint64_t bits;
        memcpy(&bits, &value, 8);
        hash = fold(fold(hash, bits), multiply_short(s, t));
    }
    return hash;
}
