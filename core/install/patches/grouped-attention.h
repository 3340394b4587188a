// Flash attention on the CPU for a KV cache that many sequences share.
//
// ggml/src/ggml-cpu/ops.cpp includes this file. llama.cpp's own kernel takes 64 rows of one query head at a time, or
// one row. In a unified KV cache each row sees the cells of its own sequence only, and those of a shared prefix. Here
//   - a tile of cells that no row of a block sees costs one look at the mask; rows that do not see a tile are left out;
//   - the query heads of one KV head and several rows are computed together, so that keys and values are converted once;
//   - scores lie as [cell][query]: keys need no transposing, and the softmax no sums across lanes;
//   - a tile that one row sees, as most are while answers are written, has too few queries for that: its keys and values
//     are read in 16 bits, its scores lie as [query][cell], and the heads follow each other, as they lie in memory.

#if defined(GGML_SIMD) && !defined(__ARM_FEATURE_SVE) && !defined(__riscv_v_intrinsic)
#define GROUPED_ATTENTION 1

#include <cstring>
#include <vector>

#if defined(__GNUC__)
#define GROUPED_PREFETCH(address) __builtin_prefetch(address)
#else
#define GROUPED_PREFETCH(address)
#endif

namespace grouped_attention {

constexpr int TILE      = 64;  // cells
constexpr int MAX_LANES = 64;  // queries that are computed together, unless one KV head has more
constexpr int PADDING   = 16;  // lanes
constexpr int FEW_ROWS  = 64;  // up to this many a block takes all KV heads, which lie side by side in memory

constexpr int BLOCKS_PER_THREAD = 4;

// C[M x N] (+)= A[M x K] * B[K x N]. Element (i, k) of A lies at A[i * ai + k * ak].
template <int RM, int RN, bool ADD>
static inline void multiply_block(float * C, int ldc, const float * A, int ai, int ak, const float * B, int ldb, int K) {
    GGML_F32_VEC sum[RM][RN];
    for (int i = 0; i < RM; i++) {
        for (int r = 0; r < RN; r++) {
            sum[i][r] = ADD ? GGML_F32_VEC_LOAD(C + i * ldc + r * GGML_F32_EPR) : GGML_F32_VEC_ZERO;
        }
    }
    const float * a_rows[(RM + 2) / 3];  // x86 adds once or twice a stride to an address, so three rows share a pointer
    for (int i = 0; i < RM; i += 3) {
        a_rows[i / 3] = A + i * ai;
    }
    for (int k = 0; k < K; k++) {
        GGML_F32_VEC b[RN];
        for (int r = 0; r < RN; r++) {
            b[r] = GGML_F32_VEC_LOAD(B + k * ldb + r * GGML_F32_EPR);
        }
        for (int i = 0; i < RM; i++) {
            const GGML_F32_VEC a = GGML_F32_VEC_SET1(a_rows[i / 3][(i % 3) * (ptrdiff_t) ai]);
            for (int r = 0; r < RN; r++) {
                sum[i][r] = GGML_F32_VEC_FMA(sum[i][r], b[r], a);
            }
        }
        for (const float *& row : a_rows) {
            row += ak;
        }
    }
    for (int i = 0; i < RM; i++) {
        for (int r = 0; r < RN; r++) {
            GGML_F32_VEC_STORE(C + i * ldc + r * GGML_F32_EPR, sum[i][r]);
        }
    }
}

template <int RN, bool ADD>
static inline void multiply_columns(float * C, int ldc, const float * A, int ai, int ak, const float * B, int ldb, int M, int K) {
#if defined(__AVX512F__) || defined(__ARM_NEON)
    constexpr int RM = RN == 1 ? 9 : 6;
#else
    constexpr int RM = 6;
#endif
    int i = 0;
    for (; i + RM <= M; i += RM) {
        multiply_block<RM, RN, ADD>(C + i * ldc, ldc, A + i * ai, ai, ak, B, ldb, K);
    }
    for (; i + 3 <= M; i += 3) {
        multiply_block<3, RN, ADD>(C + i * ldc, ldc, A + i * ai, ai, ak, B, ldb, K);
    }
    for (; i < M; i++) {
        multiply_block<1, RN, ADD>(C + i * ldc, ldc, A + i * ai, ai, ak, B, ldb, K);
    }
}

// N is a multiple of GGML_F32_EPR.
template <bool ADD>
static void multiply(float * C, int ldc, const float * A, int ai, int ak, const float * B, int ldb, int M, int K, int N) {
#if defined(__AVX512F__) || defined(__ARM_NEON)
    constexpr int RN = 4;
#else
    constexpr int RN = 2;
#endif
    int j = 0;
    for (; j + RN * GGML_F32_EPR <= N; j += RN * GGML_F32_EPR) {
        multiply_columns<RN, ADD>(C + j, ldc, A, ai, ak, B + j, ldb, M, K);
    }
    for (; j < N; j += GGML_F32_EPR) {
        multiply_columns<1, ADD>(C + j, ldc, A, ai, ak, B + j, ldb, M, K);
    }
}

// y[i] = exp(x[i] - m[i]) for n lanes, a multiple of PADDING.
static inline void exp_difference(float * y, const float * x, const float * m, int n) {
    int i = 0;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    for (; i < n; i += 16) {
        _mm512_storeu_ps(y + i, ggml_v_expf(_mm512_sub_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(m + i))));
    }
#elif defined(__AVX2__) && defined(__FMA__)
    for (; i < n; i += 8) {
        _mm256_storeu_ps(y + i, ggml_v_expf(_mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(m + i))));
    }
#elif defined(__ARM_NEON) && defined(__aarch64__)
    for (; i < n; i += 4) {
        vst1q_f32(y + i, ggml_v_expf(vsubq_f32(vld1q_f32(x + i), vld1q_f32(m + i))));
    }
#endif
    for (; i < n; i++) {
        y[i] = expf(x[i] - m[i]);
    }
}

static void load_tile(float * to, const ggml_tensor * t, int64_t cell, int cells, int64_t head, int64_t i3) {
    const int64_t n      = t->ne[0];
    const size_t  size   = ggml_row_size(t->type, n);
    const size_t  stride = t->nb[1];
    const char *  row    = (const char *) t->data + cell * stride + head * t->nb[2] + i3 * t->nb[3];
    const bool    more   = cell + 2 * TILE <= t->ne[1];
    const auto    to_f32 = ggml_get_type_traits(t->type)->to_float;
    for (int c = 0; c < cells; c++, row += stride, to += n) {
        // The next tile mostly belongs to the same sequence. A row of one head is short: no hardware prefetches it.
        for (size_t byte = 0; more && byte < size; byte += 64) {
            GROUPED_PREFETCH(row + TILE * stride + byte);
        }
        if (t->type == GGML_TYPE_F16) {
            ggml_cpu_fp16_to_fp32((const ggml_fp16_t *) row, to, n);
        } else if (t->type == GGML_TYPE_F32) {
            memcpy(to, row, n * sizeof(float));
        } else {
            to_f32(row, to, n);
        }
    }
}

enum class visibility { none, all, some };

static visibility look(const ggml_fp16_t * mask, int cells) {
    constexpr uint16_t HIDDEN = 0xFC00;  // minus infinity
    uint16_t not_hidden = 0;
    uint16_t not_clear  = 0;
    for (int c = 0; c < cells; c++) {
        not_hidden |= mask[c] ^ HIDDEN;
        not_clear |= mask[c];
    }
    return not_hidden == 0 ? visibility::none : not_clear == 0 ? visibility::all : visibility::some;
}

// The rows of a block that see a tile, with their queries side by side: row * heads + head is a query's lane.
struct lane_set {
    std::vector<int>   rows;
    std::vector<float> queries;  // [DK][width]
    int                width = 0;
};

// The queries of one KV head in a block, and their softmax so far.
struct head_state {
    lane_set           all;
    lane_set           some;
    std::vector<float> queries;       // [query][DK]
    std::vector<float> output;        // [query][DV]
    std::vector<float> maximum, sum;  // of each query
};

struct workspace {
    std::vector<head_state> heads;
    std::vector<int>        visible;
    std::vector<char>       masked;  // whether a visible row is hidden from some cells
    std::vector<float>      keys, values, scores;
    std::vector<float>      before, now, decay, add;  // of each lane
};

static void select(lane_set & to, const lane_set & all, const std::vector<int> & rows, int heads, int64_t DK) {
    if (to.rows == rows) {
        return;  // neighbouring tiles belong to the same sequence
    }
    to.rows  = rows;
    to.width = GGML_PAD((int) rows.size() * heads, PADDING);
    to.queries.assign(DK * to.width, 0.0f);
    for (int64_t d = 0; d < DK; d++) {
        for (size_t v = 0; v < rows.size(); v++) {
            for (int h = 0; h < heads; h++) {
                to.queries[d * to.width + v * heads + h] = all.queries[d * all.width + rows[v] * heads + h];
            }
        }
    }
}

// Finds the greatest score of each lane so far, replaces the scores by their exponentials below it, and sums those.
static void exponentiate(float * GGML_RESTRICT score, const float * GGML_RESTRICT before, float * GGML_RESTRICT now,
                         float * GGML_RESTRICT sum, int cells, int width) {
    for (int first = 0; first < width; first += PADDING) {
        float most[PADDING], total[PADDING] = {};
        memcpy(most, before + first, sizeof(most));
        for (int c = 0; c < cells; c++) {
            for (int l = 0; l < PADDING; l++) {
                const float x = score[c * width + first + l];
                most[l]       = most[l] < x ? x : most[l];
            }
        }
        for (int c = 0; c < cells; c++) {
            float * row = score + c * width + first;
            exp_difference(row, row, most, PADDING);
            for (int l = 0; l < PADDING; l++) {
                total[l] += row[l];
            }
        }
        memcpy(now + first, most, sizeof(most));
        memcpy(sum + first, total, sizeof(total));
    }
}

// Adds the exponentials of a tile's scores times its values to the output of the lanes' queries.
static void accumulate(workspace & w, head_state & state, const lane_set & lanes, int heads, int cells, int64_t DV) {
    const int width = lanes.width;
    const int used  = (int) lanes.rows.size() * heads;
    float *   score = w.scores.data();
    w.before.assign(width, 0.0f);
    w.now.resize(width);
    w.decay.resize(width);
    w.add.resize(width);
    for (int l = 0; l < used; l++) {
        w.before[l] = state.maximum[lanes.rows[l / heads] * heads + l % heads];
    }
    exponentiate(score, w.before.data(), w.now.data(), w.add.data(), cells, width);
    exp_difference(w.decay.data(), w.before.data(), w.now.data(), width);
    for (int l = 0; l < used; l++) {
        const int query = lanes.rows[l / heads] * heads + l % heads;
        state.sum[query]    = state.sum[query] * w.decay[l] + w.add[l];
        if (w.decay[l] != 1.0f) {
            ggml_vec_scale_f32(DV, state.output.data() + query * DV, w.decay[l]);
        }
        state.maximum[query] = w.now[l];
    }
    for (size_t first = 0; first < lanes.rows.size();) {
        size_t end = first + 1;  // of consecutive rows
        while (end < lanes.rows.size() && lanes.rows[end] == lanes.rows[end - 1] + 1) {
            end++;
        }
        multiply<true>(state.output.data() + lanes.rows[first] * heads * DV, DV, score + first * heads, 1, width, w.values.data(), DV,
                       (int) (end - first) * heads, cells, DV);
        first = end;
    }
}

struct problem {
    const ggml_tensor * q, * k, * v, * mask, * sinks;
    ggml_tensor *       dst;
    float               scale, softcap;
    int                 heads;  // query heads of one KV head

    const ggml_fp16_t * mask_row(int64_t row, int64_t i3) const {
        return (const ggml_fp16_t *) ((const char *) mask->data + row * mask->nb[1] + (i3 % mask->ne[3]) * mask->nb[3]);
    }
};

// Finds the rows that see a tile. True if a row is hidden from some of its cells.
static bool find_visible(const problem & p, workspace & w, int64_t row0, int rows, int64_t i3, int64_t cell, int cells) {
    bool some = false;
    w.visible.clear();
    w.masked.clear();
    for (int row = 0; row < rows; row++) {
        const visibility seen = p.mask ? look(p.mask_row(row0 + row, i3) + cell, cells) : visibility::all;
        if (seen != visibility::none) {
            w.visible.push_back(row);
            w.masked.push_back(seen == visibility::some);
            some = some || seen == visibility::some;
        }
    }
    return some;
}

static void add_mask(const problem & p, workspace & w, const lane_set & lanes, int64_t row0, int64_t i3, int64_t cell, int cells) {
    for (size_t v = 0; v < lanes.rows.size(); v++) {
        if (!w.masked[v]) {
            continue;
        }
        const ggml_fp16_t * mask = p.mask_row(row0 + lanes.rows[v], i3) + cell;
        for (int c = 0; c < cells; c++) {
            const float add = GGML_CPU_FP16_TO_FP32(mask[c]);
            for (int h = 0; h < p.heads; h++) {
                w.scores[c * lanes.width + v * p.heads + h] += add;
            }
        }
    }
}

#if defined(__AVX512F__) && defined(__AVX512DQ__)
constexpr int FEW_QUERIES = 8;
constexpr int MOST_HEADS  = 4;  // at once

static inline __m512 load_half(const ggml_fp16_t * from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) from));
}

// Sums each of four vectors within its groups of four lanes: (a, b, c, d) of each group side by side.
static inline __m512 sum_within_groups(__m512 a, __m512 b, __m512 c, __m512 d) {
    const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const __m512d low = _mm512_castps_pd(ab), high = _mm512_castps_pd(cd);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(low, high)), _mm512_castpd_ps(_mm512_unpackhi_pd(low, high)));
}

// Sums the groups of each vector: those of the first become lanes 0 to 3, and so on.
static inline __m512 sum_groups(__m512 a, __m512 b, __m512 c, __m512 d) {
    const __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
    const __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x88), _mm512_shuffle_f32x4(c, d, 0xDD));
    return _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}

// scores[h * TILE + cell] = keys of the cell * query h, for the cells of a tile.
template <int H>
static void score_tile(float * scores, const float * queries, const char * keys, size_t stride, int64_t DK) {
    for (int c = 0; c < TILE; c += 16) {
        __m512 groups[H][4];
        for (int g = 0; g < 4; g++) {
            const char * at = keys + (c + 4 * g) * stride;
            __m512 sum[H][4];
            for (int h = 0; h < H; h++) {
                for (int i = 0; i < 4; i++) {
                    sum[h][i] = _mm512_setzero_ps();
                }
            }
            for (int64_t d = 0; d < DK; d += 16) {
                __m512 key[4];
                for (int i = 0; i < 4; i++) {
                    key[i] = load_half((const ggml_fp16_t *) (at + i * stride) + d);
                }
                for (int h = 0; h < H; h++) {
                    const __m512 query = _mm512_loadu_ps(queries + h * DK + d);
                    for (int i = 0; i < 4; i++) {
                        sum[h][i] = _mm512_fmadd_ps(key[i], query, sum[h][i]);
                    }
                }
            }
            for (int h = 0; h < H; h++) {
                groups[h][g] = sum_within_groups(sum[h][0], sum[h][1], sum[h][2], sum[h][3]);
            }
        }
        for (int h = 0; h < H; h++) {
            _mm512_storeu_ps(scores + h * TILE + c, sum_groups(groups[h][0], groups[h][1], groups[h][2], groups[h][3]));
        }
    }
}

// output[h][DV] = output * decay[h] + the values of a tile, weighted by scores[h * TILE + cell].
template <int H>
static void add_values(float * output, const float * decay, const float * scores, const char * values, size_t stride, int64_t DV) {
    for (int64_t d = 0; d < DV; d += 64) {
        const int vectors = (int) std::min<int64_t>(4, (DV - d) / 16);
        __m512 sum[H][4];
        for (int h = 0; h < H; h++) {
            for (int r = 0; r < vectors; r++) {
                sum[h][r] = _mm512_mul_ps(_mm512_loadu_ps(output + h * DV + d + 16 * r), _mm512_set1_ps(decay[h]));
            }
        }
        const char * at = values;
        if (vectors == 4) {
            for (int c = 0; c < TILE; c++, at += stride) {
                __m512 value[4];
                for (int r = 0; r < 4; r++) {
                    value[r] = load_half((const ggml_fp16_t *) at + d + 16 * r);
                }
                for (int h = 0; h < H; h++) {
                    const __m512 weight = _mm512_set1_ps(scores[h * TILE + c]);
                    for (int r = 0; r < 4; r++) {
                        sum[h][r] = _mm512_fmadd_ps(value[r], weight, sum[h][r]);
                    }
                }
            }
        } else {
            for (int c = 0; c < TILE; c++, at += stride) {
                for (int r = 0; r < vectors; r++) {
                    const __m512 value = load_half((const ggml_fp16_t *) at + d + 16 * r);
                    for (int h = 0; h < H; h++) {
                        sum[h][r] = _mm512_fmadd_ps(value, _mm512_set1_ps(scores[h * TILE + c]), sum[h][r]);
                    }
                }
            }
        }
        for (int h = 0; h < H; h++) {
            for (int r = 0; r < vectors; r++) {
                _mm512_storeu_ps(output + h * DV + d + 16 * r, sum[h][r]);
            }
        }
    }
}

// Replaces the scores of a query by their exponentials below the greatest so far. Returns the decay of earlier ones.
static float exponentiate_row(float * scores, float & maximum, float & sum, const ggml_fp16_t * mask) {
    __m512 x[TILE / 16];
    __m512 most = _mm512_set1_ps(maximum);
    for (int i = 0; i < TILE / 16; i++) {
        x[i] = _mm512_loadu_ps(scores + 16 * i);
        if (mask) {
            x[i] = _mm512_add_ps(x[i], load_half(mask + 16 * i));
        }
        most = _mm512_max_ps(most, x[i]);
    }
    const float now   = _mm512_reduce_max_ps(most);
    const float decay = expf(maximum - now);
    __m512      total = _mm512_setzero_ps();
    for (int i = 0; i < TILE / 16; i++) {
        x[i]  = ggml_v_expf(_mm512_sub_ps(x[i], _mm512_set1_ps(now)));
        total = _mm512_add_ps(total, x[i]);
        _mm512_storeu_ps(scores + 16 * i, x[i]);
    }
    sum     = sum * decay + _mm512_reduce_add_ps(total);
    maximum = now;
    return decay;
}

template <int H>
static void attend_row(const problem & p, head_state & state, int query, const ggml_fp16_t * mask, const char * keys, const char * values) {
    const int64_t DK = p.k->ne[0], DV = p.v->ne[0];
    float         scores[H * TILE], decay[H];
    score_tile<H>(scores, state.queries.data() + query * DK, keys, p.k->nb[1], DK);
    for (int h = 0; h < H; h++) {
        decay[h] = exponentiate_row(scores + h * TILE, state.maximum[query + h], state.sum[query + h], mask);
    }
    add_values<H>(state.output.data() + query * DV, decay, scores, values, p.v->nb[1], DV);
}

// Whether a tile has too few queries for the lanes of attend_wide, and the form that attend_narrow reads.
static bool few_queries(const problem & p, const workspace & w, int cells) {
    return (int) w.visible.size() * p.heads <= std::max(FEW_QUERIES, p.heads) && cells == TILE && p.softcap == 0.0f &&
           p.k->type == GGML_TYPE_F16 && p.v->type == GGML_TYPE_F16 && p.k->ne[0] % 16 == 0 && p.v->ne[0] % 16 == 0;
}

// Adds a whole tile to each row that sees it.
static void attend_narrow(const problem & p, const workspace & w, head_state & state, int64_t row0, int64_t cell, int64_t kv_head,
                          int64_t i3, int64_t k3, int64_t v3) {
    const char * keys   = (const char *) p.k->data + cell * p.k->nb[1] + kv_head * p.k->nb[2] + k3 * p.k->nb[3];
    const char * values = (const char *) p.v->data + cell * p.v->nb[1] + kv_head * p.v->nb[2] + v3 * p.v->nb[3];
    for (size_t v = 0; v < w.visible.size(); v++) {
        const int           row  = w.visible[v];
        const ggml_fp16_t * mask = w.masked[v] ? p.mask_row(row0 + row, i3) + cell : nullptr;
        for (int h = 0; h < p.heads; h += MOST_HEADS) {
            const int query = row * p.heads + h;
            switch (std::min(MOST_HEADS, p.heads - h)) {
                case 1: attend_row<1>(p, state, query, mask, keys, values); break;
                case 2: attend_row<2>(p, state, query, mask, keys, values); break;
                case 3: attend_row<3>(p, state, query, mask, keys, values); break;
                default: attend_row<4>(p, state, query, mask, keys, values); break;
            }
        }
    }
}
#else
static bool few_queries(const problem &, const workspace &, int) {
    return false;
}

static void attend_narrow(const problem &, const workspace &, head_state &, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t) {}
#endif

static void begin(const problem & p, workspace & w, head_state & state, int64_t row0, int rows, int64_t kv_head, int64_t i3) {
    const int64_t DK = p.k->ne[0], DV = p.v->ne[0];
    const int     queries = rows * p.heads;
    state.all.width = GGML_PAD(queries, PADDING);
    state.all.rows.resize(rows);
    state.all.queries.assign(DK * state.all.width, 0.0f);
    state.queries.resize(queries * DK);
    state.some.rows.clear();
    for (int row = 0; row < rows; row++) {
        state.all.rows[row] = row;
        for (int h = 0; h < p.heads; h++) {
            const int     query = row * p.heads + h;
            const float * from  = (const float *) ((const char *) p.q->data + (row0 + row) * p.q->nb[1] +
                                                   (kv_head * p.heads + h) * p.q->nb[2] + i3 * p.q->nb[3]);
            for (int64_t d = 0; d < DK; d++) {
                state.queries[query * DK + d] = state.all.queries[d * state.all.width + query] = from[d] * p.scale;
            }
        }
    }
    state.maximum.assign(queries, -INFINITY);
    state.sum.assign(queries, 0.0f);
    state.output.assign(queries * DV, 0.0f);
    w.keys.resize(TILE * DK);
    w.values.resize(TILE * DV);
    w.scores.resize(TILE * state.all.width);
}

// A sink takes part in the softmax without a value.
static void add_sink(head_state & state, int query, float sink, int64_t DV) {
    const float most = std::max(sink, state.maximum[query]);
    const float keep = expf(state.maximum[query] - most);
    ggml_vec_scale_f32(DV, state.output.data() + query * DV, keep);
    state.sum[query]     = state.sum[query] * keep + expf(sink - most);
    state.maximum[query] = most;
}

static void end(const problem & p, head_state & state, int64_t row0, int rows, int64_t kv_head, int64_t i3) {
    const int64_t DV = p.v->ne[0];
    for (int query = 0; query < rows * p.heads; query++) {
        const int64_t head = kv_head * p.heads + query % p.heads;
        float *       out  = state.output.data() + query * DV;
        if (p.sinks) {
            add_sink(state, query, ((const float *) p.sinks->data)[head], DV);
        }
        const float sum = state.sum[query];
        ggml_vec_scale_f32(DV, out, sum == 0.0f ? 0.0f : 1.0f / sum);
        char * to = (char *) p.dst->data + head * p.dst->nb[1] + (row0 + query / p.heads) * p.dst->nb[2] + i3 * p.dst->nb[3];
        memcpy(to, out, DV * sizeof(float));
    }
}

// Adds a tile to the rows that see it, all together.
static void attend_wide(const problem & p, workspace & w, head_state & state, int64_t row0, int rows, bool some,
                        int64_t cell, int cells, int64_t kv_head, int64_t i3, int64_t k3, int64_t v3) {
    const int64_t DK = p.k->ne[0], DV = p.v->ne[0];
    const bool    everybody = (int) w.visible.size() == rows;
    if (!everybody) {
        select(state.some, state.all, w.visible, p.heads, DK);
    }
    const lane_set & lanes = everybody ? state.all : state.some;
    load_tile(w.keys.data(), p.k, cell, cells, kv_head, k3);
    multiply<false>(w.scores.data(), lanes.width, w.keys.data(), DK, 1, lanes.queries.data(), lanes.width, cells, DK, lanes.width);
    if (p.softcap != 0.0f) {
        ggml_vec_tanh_f32(cells * lanes.width, w.scores.data(), w.scores.data());
        ggml_vec_scale_f32(cells * lanes.width, w.scores.data(), p.softcap);
    }
    if (some) {
        add_mask(p, w, lanes, row0, i3, cell, cells);
    }
    load_tile(w.values.data(), p.v, cell, cells, kv_head, v3);
    accumulate(w, state, lanes, p.heads, cells, DV);
}

// Starts the queries of some rows and KV heads, and adds to them each tile from `first` on, `stride` cells apart.
static void attend(const problem & p, workspace & w, int64_t row0, int rows, int64_t head0, int64_t heads, int64_t i3,
                   int64_t first, int64_t stride) {
    const int64_t all_cells = p.k->ne[1];
    const int64_t k3 = i3 / (p.q->ne[3] / p.k->ne[3]), v3 = i3 / (p.q->ne[3] / p.v->ne[3]);
    w.heads.resize(std::max<size_t>(w.heads.size(), heads));
    for (int64_t head = 0; head < heads; head++) {
        begin(p, w, w.heads[head], row0, rows, head0 + head, i3);
    }
    for (int64_t cell = first; cell < all_cells; cell += stride) {
        const int  cells = (int) std::min<int64_t>(TILE, all_cells - cell);
        const bool some  = find_visible(p, w, row0, rows, i3, cell, cells);
        if (w.visible.empty()) {
            continue;
        }
        const bool narrow = few_queries(p, w, cells);
        for (int64_t head = 0; head < heads; head++) {
            if (narrow) {
                attend_narrow(p, w, w.heads[head], row0, cell, head0 + head, i3, k3, v3);
            } else {
                attend_wide(p, w, w.heads[head], row0, rows, some, cell, cells, head0 + head, i3, k3, v3);
            }
        }
    }
}

static void compute_block(const problem & p, workspace & w, int64_t row0, int rows, int64_t head0, int64_t heads, int64_t i3) {
    attend(p, w, row0, rows, head0, heads, i3, 0, TILE);
    for (int64_t head = 0; head < heads; head++) {
        end(p, w.heads[head], row0, rows, head0 + head, i3);
    }
}

static bool supports(const problem & p, float max_bias) {
    const auto convertible = [](const ggml_tensor * t) {
        return t->type == GGML_TYPE_F16 || t->type == GGML_TYPE_F32 || ggml_get_type_traits(t->type)->to_float;
    };
    return p.q->type == GGML_TYPE_F32 && convertible(p.k) && convertible(p.v) && p.v->ne[0] % GGML_F32_EPR == 0 &&
           p.k->ne[2] == p.v->ne[2] && max_bias == 0.0f && (!p.mask || p.mask->ne[2] == 1);
}

static problem describe(ggml_tensor * dst, float & max_bias) {
    float scale, softcap;
    memcpy(&scale, (const float *) dst->op_params + 0, sizeof(float));
    memcpy(&max_bias, (const float *) dst->op_params + 1, sizeof(float));
    memcpy(&softcap, (const float *) dst->op_params + 2, sizeof(float));
    const ggml_tensor * q = dst->src[0];
    const ggml_tensor * k = dst->src[1];
    return { q, k, dst->src[2], dst->src[3], dst->src[4], dst, softcap == 0.0f ? scale : scale / softcap,
             softcap, (int) (q->ne[2] / k->ne[2]) };
}

// Computes one row's share of this thread: every nth tile, so that all threads have as many whole tiles to compute
// wherever the row's cells lie. Writes [maximum, sum, output] of each query head, `stride` floats apart.
// False if another kernel has to compute it.
static bool compute_share(const ggml_compute_params * params, ggml_tensor * dst, float * shares, int64_t stride) {
    float         max_bias;
    const problem p = describe(dst, max_bias);
    if (!supports(p, max_bias)) {
        return false;
    }
    const int64_t kv_heads = p.k->ne[2], DV = p.v->ne[0];
    static thread_local workspace w;
    attend(p, w, 0, 1, 0, kv_heads, 0, (int64_t) params->ith * TILE, (int64_t) params->nth * TILE);
    for (int64_t head = 0; head < kv_heads * p.heads; head++) {
        head_state & state = w.heads[head / p.heads];
        const int    query = (int) (head % p.heads);
        float *      share = shares + head * stride;
        if (p.sinks && params->ith == 0) {
            add_sink(state, query, ((const float *) p.sinks->data)[head], DV);
        }
        share[0] = state.maximum[query];
        share[1] = state.sum[query];
        memcpy(share + 2, state.output.data() + query * DV, DV * sizeof(float));
    }
    return true;
}

// False if another kernel has to compute it.
static bool compute(const ggml_compute_params * params, ggml_tensor * dst) {
    float         max_bias;
    const problem p = describe(dst, max_bias);
    if (!supports(p, max_bias)) {
        return false;
    }
    const ggml_tensor * q = p.q;

    // Enough blocks that all threads have work until the end; else as many rows as share the conversions of a tile.
    const int64_t rows    = q->ne[1], kv_heads = p.k->ne[2];
    const int64_t most    = std::max(1, MAX_LANES / p.heads);
    const int64_t heads   = rows >= 4 * params->nth && rows <= FEW_ROWS ? kv_heads : 1;
    const int64_t wanted  = BLOCKS_PER_THREAD * params->nth;
    const int64_t shared  = (rows * (kv_heads / heads) + wanted - 1) / wanted;
    const int64_t height  = std::min(most, std::max<int64_t>(1, shared));
    const int64_t columns = (rows + height - 1) / height;
    const int64_t blocks  = columns * (kv_heads / heads) * q->ne[3];

    if (params->ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    static thread_local workspace w;
    for (int64_t block = params->ith; block < blocks; block = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        const int64_t row0 = (block % columns) * height;
        const int64_t head = block / columns % (kv_heads / heads) * heads;
        compute_block(p, w, row0, (int) std::min(height, rows - row0), head, heads, block / columns / (kv_heads / heads));
    }
    return true;
}

}  // namespace grouped_attention
#endif
