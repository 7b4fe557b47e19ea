/* Integer helpers of emitted code: what does not read well as one C expression. Included by rt.h. */
#ifndef RT_INT_H
#define RT_INT_H

#endif
