package codec

// assign puts v, not NULL, into the field at p. n is the number of bytes that the field
// borrows now, for pack to copy. c is the cursor that read v; it is nil for a default
// and for an element of a slice, which borrow nothing.
func (b *binding) assign(p pointer, v Value, c *cursor) (n int, err error) {
	switch b.op {
	case opString, opBytes:
		if v.typ != TypeString && v.typ != TypeBinary {
			return n, errType
		}
		if b.op == opString {
			if v.lo > 0 {
				*as[string](p) = borrow(v.Bytes())
			}
		} else if *as[[]byte](p) = v.Bytes(); v.lo == 0 {
			*as[[]byte](p) = []byte{}
		}
		return int(v.lo), nil
	case opInt:
		i, ok := v.Int()
		if !ok || i < b.min || i > b.max {
			return n, integerError(v)
		}
		storeInt(p, b.size, uint64(i))
	case opUint:
		u, ok := v.Uint()
		if !ok || u > b.umax {
			return n, integerError(v)
		}
		storeInt(p, b.size, u)
	case opBool:
		if v.typ != TypeBool {
			return n, errType
		}
		*as[bool](p) = v.lo != 0
	case opBlock:
		if v.typ != TypeBinary {
			return n, errType
		}
		*as[string](p) = borrow(v.Bytes())
		return int(v.lo), nil
	case opAddr:
		if v.typ != TypeIPv4 && v.typ != TypeIPv6 {
			return n, setAddrText(p, v)
		}
		*as[addr](p), _ = v.Addr()
	case opIP:
		switch v.typ {
		case TypeIPv4:
			*as[[]byte](p) = c.last(4)
		case TypeIPv6:
			*as[[]byte](p) = c.last(16)
		default:
			err = setIPText(p, v)
		}
		return len(*as[[]byte](p)), err
	case opValue:
		if v.typ != TypeString && v.typ != TypeBinary {
			*as[Value](p) = v
			return n, nil
		}
		if v.lo == 0 {
			v.p = nil
		}
		*as[Value](p) = v
		return int(v.lo), nil
	default:
		return n, b.set(p, v)
	}
	return n, nil
}

func storeInt(p pointer, size uint8, u uint64) {
	switch size {
	case 1:
		*as[uint8](p) = uint8(u)
	case 2:
		*as[uint16](p) = uint16(u)
	case 4:
		*as[uint32](p) = uint32(u)
	default:
		*as[uint64](p) = u
	}
}

func integerError(v Value) error {
	switch v.typ {
	case TypeInt32, TypeUint32, TypeInt64, TypeUint64:
		return errUnfit
	}
	return errType
}
