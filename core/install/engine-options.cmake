# Included when llama.cpp's project() runs.

# Its common library serves llama.cpp's own tools, and takes half of the compile time.
set(LLAMA_BUILD_COMMON OFF)

# Our kernels for the processor, the places that call them, and a mend for AMX (docs/decisions/0049).
set(PATCHES ${CMAKE_CURRENT_LIST_DIR}/patches)
find_program(PATCH_COMMAND patch)
find_program(GIT_COMMAND git)
if(PATCH_COMMAND)
    set(APPLY_PATCH ${PATCH_COMMAND} -p1 -i)
else()  # without the ceiling, git would skip all files in a folder of another repository
    set(APPLY_PATCH ${CMAKE_COMMAND} -E env GIT_CEILING_DIRECTORIES=${CMAKE_CURRENT_SOURCE_DIR}/..
        ${GIT_COMMAND} apply -p1)
endif()
if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/ggml/src/ggml-cpu/grouped-attention.h)
    foreach(name kernels amx-tiles)
        execute_process(COMMAND ${APPLY_PATCH} ${PATCHES}/${name}.patch
            WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} RESULT_VARIABLE failure)
        if(failure)
            message(FATAL_ERROR "core/install/patches/${name}.patch could not be applied to this llama.cpp: ${failure}")
        endif()
    endforeach()
    file(COPY ${PATCHES}/grouped-attention.h ${PATCHES}/q8_0-vnni.h
        DESTINATION ${CMAKE_CURRENT_SOURCE_DIR}/ggml/src/ggml-cpu)
    file(COPY ${PATCHES}/sequence-runs.h DESTINATION ${CMAKE_CURRENT_SOURCE_DIR}/src)
endif()

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
