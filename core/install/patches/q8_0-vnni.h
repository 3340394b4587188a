// Matrix products of Q8_0 weights with AVX-512 VNNI, for prompts and for several answers at once.
//
// ggml/src/ggml-cpu/repack.cpp includes this file. llama.cpp repacks Q4_0, IQ4_NL and K-quants on x86, but not Q8_0,
// whose products then multiply 32 pairs of bytes per instruction, after two more for their signs. Here 16 rows of
// weights lie side by side, so that one instruction multiplies 64 pairs, and no sum goes across lanes.
//
// VPDPBUSD multiplies unsigned by signed bytes. The weights are stored with 128 added; 128 times the sum of the
// activations, which is the same for all weights, is subtracted before.

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VNNI__)
#define Q8_0_VNNI 1

#include <immintrin.h>

namespace ggml::cpu::repack {

static constexpr int VNNI_COLUMNS = 16;  // rows of the weights; they are columns of the result
static constexpr int VNNI_GROUPS  = QK8_0 / 4;

// In a block: 16 scales, then for each group of four values those of the 16 rows.
template <>
int repack<block_q8_0, 8, VNNI_COLUMNS>(struct ggml_tensor * t, const void * data, size_t data_size) {
    const int64_t nrow    = ggml_nrows(t);
    const int64_t nblocks = t->ne[0] / QK8_0;
    GGML_ASSERT(t->type == GGML_TYPE_Q8_0);
    GGML_ASSERT(data_size == nrow * nblocks * sizeof(block_q8_0));
    if (t->ne[1] % VNNI_COLUMNS != 0 || t->ne[0] % QK8_0 != 0) {
        return -1;
    }

    const auto * src = (const block_q8_0 *) data;
    auto *       dst = (block_q8_0x16 *) t->data;
    for (int64_t row = 0; row < nrow; row += VNNI_COLUMNS, src += VNNI_COLUMNS * nblocks) {
        for (int64_t b = 0; b < nblocks; b++, dst++) {
            for (int c = 0; c < VNNI_COLUMNS; c++) {
                const block_q8_0 & in = src[c * nblocks + b];
                dst->d[c]             = in.d;
                for (int i = 0; i < QK8_0; i++) {
                    dst->qs[(i / 4) * 4 * VNNI_COLUMNS + 4 * c + i % 4] = (int8_t) (in.qs[i] ^ 0x80);
                }
            }
        }
    }
    return 0;
}

static inline __m512 vnni_scales(const ggml_half * d) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) d));
}

static inline __m512i vnni_dot(__m512i sum, __m512i weights, int32_t activations) {
    return _mm512_dpbusd_epi32(sum, weights, _mm512_set1_epi32(activations));
}

// Four rows of activations (interleaved by 8 bytes) times GROUPS x 16 rows of weights.
template <int GROUPS>
static void gemm_vnni(int64_t nblocks, float * s, size_t bs, const block_q8_0x16 * w, const block_q8_0x4 * a) {
    __m512 result[4][GROUPS];
    for (auto & row : result) {
        for (__m512 & group : row) {
            group = _mm512_setzero_ps();
        }
    }

    for (int64_t b = 0; b < nblocks; b++) {
        int32_t groups[4 * VNNI_GROUPS];
        memcpy(groups, a[b].qs, sizeof(groups));

        // Sums of the activations of each row: lanes 0 and 1 belong to row 0, 2 and 3 to row 1, and so on.
        const __m512i bias   = _mm512_set1_epi8((char) 128);
        __m512i       biased = _mm512_dpbusd_epi32(_mm512_setzero_si512(), bias, _mm512_loadu_si512(groups));
        biased               = _mm512_dpbusd_epi32(biased, bias, _mm512_loadu_si512(groups + 16));
        const __m256i halves = _mm256_add_epi32(_mm512_castsi512_si256(biased), _mm512_extracti64x4_epi64(biased, 1));
        const __m256i sums   = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_add_epi32(halves, _mm256_shuffle_epi32(halves, 0xB1)));
        const __m512i rows   = _mm512_castsi256_si512(sums);

        __m512i sum[4][GROUPS];
        for (int r = 0; r < 4; r++) {
            const __m512i start = _mm512_permutexvar_epi32(_mm512_set1_epi32(2 * r), rows);
            for (int g = 0; g < GROUPS; g++) {
                sum[r][g] = start;
            }
        }
        for (int k = 0; k < VNNI_GROUPS; k++) {
            __m512i weights[GROUPS];
            for (int g = 0; g < GROUPS; g++) {
                weights[g] = _mm512_loadu_si512(w[g * nblocks + b].qs + 4 * VNNI_COLUMNS * k);
            }
            for (int r = 0; r < 4; r++) {
                for (int g = 0; g < GROUPS; g++) {
                    sum[r][g] = vnni_dot(sum[r][g], weights[g], groups[(k / 2) * 8 + 2 * r + k % 2]);
                }
            }
        }
        for (int g = 0; g < GROUPS; g++) {
            const __m512 scales = vnni_scales(w[g * nblocks + b].d);
            for (int r = 0; r < 4; r++) {
                const __m512 scale = _mm512_mul_ps(scales, _mm512_set1_ps(GGML_CPU_FP16_TO_FP32(a[b].d[r])));
                result[r][g]       = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][g]), scale, result[r][g]);
            }
        }
    }

    for (int r = 0; r < 4; r++) {
        for (int g = 0; g < GROUPS; g++) {
            _mm512_storeu_ps(s + r * bs + VNNI_COLUMNS * g, result[r][g]);
        }
    }
}

template <>
void gemm<block_q8_0, 8, VNNI_COLUMNS, GGML_TYPE_Q8_0>(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc) {
    const int64_t nblocks = n / QK8_0;
    const int     groups  = nc / VNNI_COLUMNS;
    // The weights of two groups stay in the first-level cache while all rows of activations pass.
    for (int g = 0; g < groups; g += 2) {
        const block_q8_0x16 * w = (const block_q8_0x16 *) vx + g * nblocks;
        for (int row = 0; row < nr; row += 4) {
            const block_q8_0x4 * a   = (const block_q8_0x4 *) vy + (row / 4) * nblocks;
            float *              out = s + row * bs + VNNI_COLUMNS * g;
            if (g + 1 < groups) {
                gemm_vnni<2>(nblocks, out, bs, w, a);
            } else {
                gemm_vnni<1>(nblocks, out, bs, w, a);
            }
        }
    }
}

// One row of activations.
template <>
void gemv<block_q8_0, 8, VNNI_COLUMNS, GGML_TYPE_Q8_0>(int n, float * s, size_t, const void * vx, const void * vy, int, int nc) {
    const int64_t nblocks = n / QK8_0;
    const auto *  a       = (const block_q8_0 *) vy;
    for (int g = 0; g < nc / VNNI_COLUMNS; g++) {
        const block_q8_0x16 * w      = (const block_q8_0x16 *) vx + g * nblocks;
        __m512                result = _mm512_setzero_ps();
        for (int64_t b = 0; b < nblocks; b++) {
            int32_t groups[VNNI_GROUPS];
            memcpy(groups, a[b].qs, sizeof(groups));
            const __m256i eights = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8((char) 128), _mm256_loadu_si256((const __m256i *) groups));
            const __m128i fours  = _mm_add_epi32(_mm256_castsi256_si128(eights), _mm256_extracti128_si256(eights, 1));
            const __m128i twos   = _mm_add_epi32(fours, _mm_shuffle_epi32(fours, 0x4E));
            const int32_t biased = _mm_cvtsi128_si32(_mm_add_epi32(twos, _mm_shuffle_epi32(twos, 0xB1)));

            __m512i even = _mm512_set1_epi32(-biased);
            __m512i odd  = _mm512_setzero_si512();
            for (int k = 0; k < VNNI_GROUPS; k += 2) {
                even = vnni_dot(even, _mm512_loadu_si512(w[b].qs + 4 * VNNI_COLUMNS * k), groups[k]);
                odd  = vnni_dot(odd, _mm512_loadu_si512(w[b].qs + 4 * VNNI_COLUMNS * (k + 1)), groups[k + 1]);
            }
            const __m512 scale = _mm512_mul_ps(vnni_scales(w[b].d), _mm512_set1_ps(GGML_CPU_FP16_TO_FP32(a[b].d)));
            result             = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(even, odd)), scale, result);
        }
        _mm512_storeu_ps(s + VNNI_COLUMNS * g, result);
    }
}

}  // namespace ggml::cpu::repack
#endif
