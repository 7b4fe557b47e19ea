/* AT_HWCAP: the optional instructions that guests may use (arch/arm64/include/uapi/asm/hwcap.h). */
#ifndef RT_LINUX_HWCAP_H
#define RT_LINUX_HWCAP_H

#define RT_HWCAP_FP (1u << 0)
#define RT_HWCAP_ASIMD (1u << 1)

#define RT_HWCAP (RT_HWCAP_FP | RT_HWCAP_ASIMD)

#endif
