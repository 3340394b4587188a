/* A GPU back end without devices, for a machine whose driver is missing. ggml skips a back end that registers NULL. */

void * ggml_backend_cuda_reg(void) { return 0; } /* CUDA and ROCm */
void * ggml_backend_vk_reg(void) { return 0; }
