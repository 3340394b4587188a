# Included when llama.cpp's project() runs.

# Its common library serves llama.cpp's own tools, and takes half of the compile time.
set(LLAMA_BUILD_COMMON OFF)

# A GPU back end needs its driver's library to start, also where the engine could answer on the processor. For that case
# a library of the same name without any device is installed in `no-gpu`: core/model/worker/llama loads it instead.
set(NO_GPU_SOURCE ${CMAKE_CURRENT_LIST_DIR}/no-gpu.c)

function(add_no_gpu_libraries)
    foreach(backend cuda hip vulkan)
        if(TARGET ggml-${backend} AND UNIX AND NOT APPLE)
            add_library(ggml-no-${backend} SHARED ${NO_GPU_SOURCE})
            get_target_property(version ggml-${backend} SOVERSION)
            set_target_properties(ggml-no-${backend} PROPERTIES OUTPUT_NAME ggml-${backend})
            if(version)
                set_target_properties(ggml-no-${backend} PROPERTIES SOVERSION ${version})
            endif()
            set_target_properties(ggml-no-${backend} PROPERTIES
                LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/no-gpu RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/no-gpu)
            install(TARGETS ggml-no-${backend} LIBRARY DESTINATION ${SKBUILD_PLATLIB_DIR}/llama_cpp/lib/no-gpu)
        endif()
    endforeach()
endfunction()

# The targets exist once llama.cpp's own file is done.
cmake_language(DEFER CALL add_no_gpu_libraries)
