// Places the cells of a sequence side by side in a KV cache that many sequences share.
//
// src/llama-kv-cache.h includes this file. llama.cpp takes the first empty cells, so that the tokens of sequences that
// are answered together alternate cell by cell, and every row of a batch sees every tile of 64 cells in part. Here a
// sequence goes on behind its last cell, or begins a run of 64 empty ones. Only when there is no such run left does it
// take single cells.

#pragma once

#include "llama-kv-cells.h"

#include <vector>

class sequence_runs {
public:
    // Notes the cell that a token of a sequence was placed in.
    void note(llama_seq_id sequence, uint32_t cell) {
        if (last.size() <= (size_t) sequence) {
            last.resize(sequence + 1, 0);
        }
        last[sequence] = cell;
    }

    // Finds a cell for each of the tokens, whose sequences are given. False: there are not enough empty ones.
    bool find(const llama_kv_cells & cells, llama_seq_id * const * sequences, uint32_t tokens, std::vector<uint32_t> & found) const {
        std::vector<bool>    taken(cells.size());
        std::vector<int64_t> next(last.size(), UNKNOWN);  // the cell at which each sequence goes on
        uint32_t             empty_run = 0, empty_cell = 0;  // there is none before
        const auto is_free = [&](uint32_t cell) { return cell < cells.size() && cells.is_empty(cell) && !taken[cell]; };
        const auto is_free_run = [&](uint32_t start) {
            uint32_t cell = start;
            while (cell < start + RUN && is_free(cell)) {
                cell++;
            }
            return cell == start + RUN;
        };

        for (uint32_t i = 0; i < tokens; i++) {
            const size_t sequence = sequences[i][0];
            if (next.size() <= sequence) {
                next.resize(sequence + 1, UNKNOWN);
            }
            uint32_t cell = next[sequence] == UNKNOWN ? behind_last(cells, sequence) : next[sequence];
            if (cell % RUN == 0 || !is_free(cell)) {
                while (empty_run < cells.size() && !is_free_run(empty_run)) {
                    empty_run += RUN;
                }
                cell = empty_run;
            }
            if (!is_free(cell)) {
                while (empty_cell < cells.size() && !is_free(empty_cell)) {
                    empty_cell++;
                }
                cell = empty_cell;
            }
            if (!is_free(cell)) {
                return false;
            }
            found.push_back(cell);
            taken[cell]    = true;
            next[sequence] = cell + 1;
        }
        return true;
    }

private:
    static constexpr uint32_t RUN     = 64;
    static constexpr int64_t  UNKNOWN = -1;

    std::vector<uint32_t> last;  // the cell of each sequence's last token, which may be gone

    // The cell behind the sequence's last one in its last run; the start of a run if it has none there any more.
    uint32_t behind_last(const llama_kv_cells & cells, size_t sequence) const {
        uint32_t cell = sequence < last.size() ? last[sequence] : 0;
        while (cells.is_empty(cell) || !cells.seq_has(cell, sequence)) {
            if (cell % RUN == 0) {
                return cell;
            }
            cell--;
        }
        return cell + 1;
    }
};
